-- class: boundary
-- tries: to let numbers change on their way there and back
-- holds: COMPLETE true

local job = core.job()

function job.run(run)
  local numbers = { math.mininteger, math.maxinteger, -1, 0, 2^53, -(2^53), 1e308, 5e-324, 0.1, 2^31, 2^32, -2^63 }
  core.data("edges"):save({ _id = "all", list = numbers })
  local kept = core.data("edges"):get("all").list
  for i, number in ipairs(numbers) do
    if kept[i] ~= number then return job.OK, { i, tostring(number), tostring(kept[i]) } end
  end
  return job.OK, #kept == #numbers
end

return job
