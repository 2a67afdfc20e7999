-- class: sql
-- tries: to use a connection of another run by its number
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for number = 0, 50 do
    if core.sqlite.dbQuery(number, "SELECT 1") then return job.OK, number end
    if core.sqlite.dbClose(number) ~= nil and core.sqlite.dbQuery(number, "SELECT 1") then return job.OK, number end
  end
  return job.OK, "held"
end

return job
