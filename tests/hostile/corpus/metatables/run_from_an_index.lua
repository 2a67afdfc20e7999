-- class: metatables
-- tries: to let the engine find job.run by running code
-- holds: INVALID "the file must end with `return job`"

local job = core.job()

return setmetatable({}, {
  __index = function(_, name)
    if name == "run" then while true do end end
    return job[name]
  end,
})
