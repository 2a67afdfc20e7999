-- class: metatables
-- tries: to make the engine read a result that changes while it is read
-- holds: COMPLETE [1, {"inner": true}]

local job = core.job()

function job.run(run)
  local result = { 1, { inner = true } }
  local function grow(t) rawset(t, #t + 1, {}) return nil end
  setmetatable(result, { __index = grow, __pairs = grow, __len = function() return 10^6 end })
  setmetatable(result[2], { __index = grow, __pairs = grow })
  return job.OK, result
end

return job
