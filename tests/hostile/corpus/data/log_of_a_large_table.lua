-- class: data
-- tries: to make the engine write a table without end
-- holds: COMPLETE "went on"

local job = core.job()

function job.run(run)
  local list = {}
  for i = 1, 30000 do list[i] = { i, { i } } end
  core.log(list)
  core.log(setmetatable(list, { __tostring = function() return ("x"):rep(100000) end }))
  return job.OK, "went on"
end

return job
