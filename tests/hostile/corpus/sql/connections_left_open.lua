-- class: sql
-- tries: to take all connections and to leave them open
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local connections = {}
  for i = 1, 20 do
    local connection = core.sqlite.dbConnect("notes")
    if not connection then break end
    connections[i] = connection
  end
  return job.OK, #connections < 20 and "held" or "all"
end

return job
