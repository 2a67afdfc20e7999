-- class: memory
-- tries: weak tables that keep one another
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local list = setmetatable({}, { __mode = "k" })
  local last = {}
  while true do
    local key = {}
    list[key], list[last] = last, key
    last = key
    list[#list + 1] = { key }
  end
end

return job
