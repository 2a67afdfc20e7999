-- Every working day at five in the afternoon; on a Friday it writes the report of the week.
-- To have it now: moontide run notes/friday_report --data '{"now": true}'
-- Start from it for: a report, and for asking what day it is.

local notes = require "lib.notes"

local job = core.job {
  cron = "0 17 ? * MON-FRI",
  timezone = "Europe/Berlin",
  description = "Write the report of the week on Fridays",
  version = "1.0",
  timeout = "1m",
  tags = { kind = "example", shows = "helpers" },
}

local function report_of_week()
  local since = os.time() - 7 * notes.DAY
  local report = { week = job.weekNum(true), month = job.month(true), notes = 0, words = 0 }
  notes.each(function(note)
    if (note.added or 0) >= since then
      report.notes = report.notes + 1
      report.words = report.words + (note.words or 0)
    end
  end)
  return report
end

function job.run(run)
  -- `true` asks in the job's time zone; without it the answer is in UTC.
  local day = job.day(true)
  local asked = type(run.data) == "table" and run.data.now
  if day ~= "Fri" and not asked then
    core.log("today is", day, "- the report is written on Fridays")
    return job.OK, { written = false, day = day }
  end

  local report = report_of_week()
  local id, problem = core.data("reports"):save(report)
  if not id then error("the report could not be saved: " .. problem) end
  core.log("report", id, report)
  return job.OK, { written = true, notes = report.notes, words = report.words }
end

return job
