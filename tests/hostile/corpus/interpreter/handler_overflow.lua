-- class: interpreter
-- tries: to overflow the stack while an overflow is handled
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local function deep() return 1 + deep() end
  xpcall(deep, deep)
  return job.OK, not pcall(deep) and "held" or "went through"
end

return job
