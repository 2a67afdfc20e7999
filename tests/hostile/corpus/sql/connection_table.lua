-- class: sql
-- tries: to reach services of the machine by a connection table
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, module in ipairs({ core.mysql, core.pg }) do
    for _, host in ipairs({ "127.0.0.1", "localhost", "169.254.169.254", run.data.socket, "/var/run", "@abstract", "10.0.0.1" }) do
      local target = { database = "x", user = "root", host = host, port = run.data.port, timeout = 500 }
      local rows, problem = module.query(target, "SELECT 1")
      if rows or not problem then return job.OK, host end
    end
  end
  return job.OK, "held"
end

return job
