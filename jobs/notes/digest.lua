-- Asks every minute whether there are notes; once there are, it writes the day's digest and sleeps.
-- Start from it for: work that is done once a day, as soon as its input is there.

local notes = require "lib.notes"

local job = core.job {
  every = "1m",
  run_at_start = true,
  description = "Write one digest a day, as soon as there are notes",
  tags = { kind = "example", shows = "job.SLEEP" },
}

function job.run(run)
  local count, words = 0, 0
  notes.each(function(note)
    count = count + 1
    words = words + (note.words or 0)
  end)

  if count == 0 then
    core.log("no notes yet; looking again in a minute")
    return job.OK, { notes = 0 }
  end

  local digest = { day = os.date("%Y-%m-%d"), notes = count, words = words }
  local id, problem = core.data("digests"):save(digest)
  if not id then error("the digest could not be saved: " .. problem) end
  core.log("today's digest:", count, "notes,", words, "words; the next one is due in 24 hours")
  return job.SLEEP, digest
end

return job
