-- Beats every five seconds and keeps the average time between two beats.
-- Start from it for: a job that runs often and remembers something.

local state = require "lib.state"

local job = core.job {
  every = "5s",
  run_at_start = true,
  description = "Count the beats and keep their average distance",
  version = "1.0",
  timeout = "10s",
  tags = { kind = "example", shows = "state" },
}

-- A longer gap means that the engine was off; it says nothing of the beat.
local LONGEST_GAP = 60

function job.run(run)
  local beat = state.load("heartbeat", { count = 0, gaps = 0, total = 0, last = 0 })
  local now = os.time()
  local gap = now - beat.last

  beat.count = beat.count + 1
  if gap <= LONGEST_GAP then
    beat.gaps = beat.gaps + 1
    beat.total = beat.total + gap
  end
  beat.last = now
  state.save(beat)

  local average = beat.gaps > 0 and beat.total / beat.gaps or 0
  core.log(core.sf("beat %d, on average %.1f s apart", beat.count, average))
  return job.OK, { count = beat.count, average_seconds = average }
end

return job
