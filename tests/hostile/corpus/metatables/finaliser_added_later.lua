-- class: metatables
-- tries: to add a finaliser to a metatable that was taken without one
-- holds: COMPLETE false

local job = core.job()

function job.run(run)
  local ran, meta = false, {}
  for _ = 1, 1000 do setmetatable({}, meta) end
  meta.__gc = function() ran = true end
  rawset(meta, "__gc", meta.__gc)
  for _ = 1, 1000 do pcall(setmetatable, {}, meta) end
  local heap = {}
  for i = 1, 100000 do heap[i % 100] = { i } end
  return job.OK, ran
end

return job
