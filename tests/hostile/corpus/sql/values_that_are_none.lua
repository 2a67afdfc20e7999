-- class: sql
-- tries: to break the writing of statements by values of other types
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local odd = { {}, { {} }, print, 0 / 0, 1 / 0, { ["$gt"] = 1 }, setmetatable({}, { __tostring = function() return "1 OR 1=1" end }) }
  for _, value in ipairs(odd) do
    local rows, problem = core.sqlite.select("notes", { tbl = "sqlite_master", where = { name = value } })
    if rows and #rows > 0 then return job.OK, "rows" end
    if tostring(problem):find("internal error") then return job.OK, problem end
  end
  return job.OK, "held"
end

return job
