-- class: memory
-- tries: to call the engine at the very edge of memory
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local hoard, size = {}, 2^16 // 1
  while size >= 16 do
    if not pcall(function() hoard[#hoard + 1] = ("x"):rep(size) .. #hoard end) then size = size // 2 end
  end
  for i = 1, 50 do
    pcall(core.log, "x")
    pcall(core.json.encode, hoard)
    pcall(core.data("edge").save, core.data("edge"), { _id = "e", text = ("y"):rep(i * 100) })
  end
  return job.OK, "went on"
end

return job
