-- Every night at three, removes the notes that are older than the settings document allows.
-- Start from it for: nightly housekeeping.

local notes = require "lib.notes"

local job = core.job {
  cron = "0 3 * * *",
  timezone = "Europe/Berlin",
  description = "Remove old notes",
  timeout = "5m",
  memory = "32MB",
  tags = { kind = "example", shows = "cron" },
}

local KEEP_DAYS = 30

local function keep_days()
  local config = core.data("config"):get({ name = "notes" })
  return config and tonumber(config.keep_days) or KEEP_DAYS
end

function job.run(run)
  local days = keep_days()
  local oldest = os.time() - days * notes.DAY
  local old = {}
  notes.each(function(note)
    if (note.added or 0) < oldest then old[#old + 1] = note._id end
  end)

  local removed = 0
  for _, id in ipairs(old) do
    local gone, problem = notes.source():delete(id)
    if problem then core.log.error("note", id, "could not be removed:", problem) end
    if gone then removed = removed + 1 end
  end
  core.log("removed", removed, "notes older than", days, "days")
  return job.OK, { removed = removed, found = #old }
end

return job
