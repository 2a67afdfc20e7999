-- class: boundary
-- tries: to call the engine from places where the interpreter is in the middle of something
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local data = core.data("callbacks")
  local function save() return data:save({ _id = "c" }) end
  string.gsub("abc", ".", save)
  table.sort({ 3, 1, 2 }, function(a, b) save() return a < b end)
  local object = setmetatable({}, { __index = save, __lt = save, __concat = save, __close = save, __call = save })
  local _ = object.x, object .. "x", object < object, object()
  do local guard <close> = object end
  coroutine.wrap(function() coroutine.wrap(function() coroutine.yield(save()) end)() end)()
  for _ in function(_, last) return not last and save() or nil end do end
  xpcall(error, save)
  return job.OK, "held"
end

return job
