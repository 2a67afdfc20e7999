-- class: lifecycle
-- tries: to give schedules that cannot be, or that are due all the time
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local options = {
    { every = 0 }, { every = "1ms" }, { cron = "* * * * * * * *" }, { cron = "0 0 31 2 *" }, { at = "x" }, { after = -1 }, {},
    { every = "1h", cron = "@daily" }, { every = "1h", tag = ("x"):rep(100000) }, { every = "1h", user_id = -1 / 0 }, { cron = {} },
    { every = "1h", timezone = "../../etc/passwd" }, { every = "1h", retries = 10^18 }, { every = "1h", data = print },
  }
  for number, one in ipairs(options) do
    local id, problem = core.jobs.schedule("benign", one)
    if id then core.jobs.unschedule(id) return job.OK, number end
    if tostring(problem):find("internal error") then return job.OK, { number, problem } end
  end
  return job.OK, "held"
end

return job
