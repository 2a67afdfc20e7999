-- class: environment
-- tries: to find anything but plain Lua values by following every table and metatable
-- holds: COMPLETE {"userdata": 0, "threads": 0}

local job = core.job()

function job.run(run)
  local seen, queue, found = {}, { _G, core, job, run, "", 0, true, print }, { userdata = 0, threads = 0 }
  local function note(value)
    if type(value) == "userdata" then found.userdata = found.userdata + 1 end
    if type(value) == "thread" then found.threads = found.threads + 1 end
    if value ~= nil and not seen[value] then
      seen[value] = true
      queue[#queue + 1] = value
    end
  end
  while #queue > 0 do
    local value = table.remove(queue)
    local meta = getmetatable(value)
    if type(meta) == "table" then note(meta) end
    if type(value) == "table" then
      for key, item in next, value do note(key) note(item) end
    end
  end
  return job.OK, found
end

return job
