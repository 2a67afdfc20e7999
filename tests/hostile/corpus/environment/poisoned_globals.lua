-- class: environment
-- tries: to leave a trap in the globals for the runs that come after
-- holds: COMPLETE "set"

local job = core.job()

function job.run(run)
  evil = "left over"
  string.upper = function() return "EVIL" end
  function string.gmatch() return function() return nil end end
  _G.core.log = function() error("trapped") end
  _G.job = { OK = "EVIL" }
  setmetatable(_G, { __index = function() return "EVIL" end })
  return job.OK, "set"
end

return job
