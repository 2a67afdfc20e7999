-- class: environment
-- tries: to find tables behind strings, numbers, functions and nil that others share
-- holds: COMPLETE [false, true, true, true, true, true]

local job = core.job()

function job.run(run)
  return job.OK, {
    getmetatable(""), getmetatable(0) == nil, getmetatable(true) == nil, getmetatable(nil) == nil,
    getmetatable(print) == nil, getmetatable(coroutine.create(print)) == nil,
  }
end

return job
