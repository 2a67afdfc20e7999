-- class: boundary
-- tries: to call functions of the engine that were never offered
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local names = {
    "__index", "__class__", "__globals__", "write", "log.write", "data.save", "_rpc", "notify", "call", "moontide",
    "service", "engine", "exec", "eval", "system", "Data", " data", "data ", "data.__init__", "0", "",
  }
  for _, name in ipairs(names) do
    local value = core[name]
    if value ~= nil then return job.OK, name end
  end
  return job.OK, core[1] == nil and core[job] == nil and "held" or "found"
end

return job
