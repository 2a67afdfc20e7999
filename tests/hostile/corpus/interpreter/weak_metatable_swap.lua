-- class: interpreter
-- tries: to give weak tables other metatables while the collector works on them
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local modes = { { __mode = "k" }, { __mode = "v" }, { __mode = "kv" }, {} }
  local kept = {}
  for round = 1, 4000 do
    local weak = setmetatable({}, modes[round % 4 + 1])
    for i = 1, 8 do weak[{ i }] = { round } weak[i] = { i } end
    kept[round % 64 + 1] = weak
    setmetatable(kept[round * 7 % 64 + 1] or weak, modes[(round + 1) % 4 + 1])
    for _, value in pairs(weak) do
      if type(value) ~= "table" then return job.OK, "a " .. type(value) .. " in the place of a table" end
    end
  end
  return job.OK, "held"
end

return job
