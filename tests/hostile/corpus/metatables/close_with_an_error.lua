-- class: metatables
-- tries: to raise errors while errors are on their way
-- holds: ERROR "error value: {level = 50}"
-- holds: ERROR "level 50"

local job = core.job()

function job.run(run)
  local function nest(level)
    local guard <close> = setmetatable({}, { __close = function() error("level " .. level, 0) end })
    if level < 50 then nest(level + 1) end
    error("first")
  end
  local ok, problem = pcall(nest, 1)
  if problem ~= "level 1" then return job.OK, problem end
  error("level 50", 0)
end

return job
