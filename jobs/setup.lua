-- Runs once each time the engine starts, and writes the settings document if there is none.
-- Start from it for: preparing what other jobs need.

local job = core.job {
  run_once = true,
  run_at_start = true,
  description = "Write the settings document that the notes jobs read",
  tags = { kind = "example", shows = "run once" },
}

local DEFAULTS = { name = "notes", keep_days = 30 }

function job.run(run)
  local config = core.data("config")

  local present, problem = config:get({ name = DEFAULTS.name })
  if problem then error("the settings document could not be read: " .. problem) end
  if present then
    core.log("the settings document is there", present)
    return job.OK, { created = false }
  end

  local id, failure = config:save(DEFAULTS)
  if not id then error("the settings document could not be written: " .. failure) end
  core.log("wrote the settings document", id)
  return job.OK, { created = true, id = id }
end

return job
