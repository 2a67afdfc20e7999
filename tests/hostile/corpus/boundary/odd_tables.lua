-- class: boundary
-- tries: to confuse the reader by tables that are neither lists nor maps
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local odd = {
    { [1] = "a", [3] = "c" }, { [0] = "zero" }, { [-1] = "minus" }, { [1.5] = "half" }, { [true] = 1 },
    { 1, 2, x = 3 }, { [math.maxinteger] = 1 }, { [math.mininteger] = 1 }, { [{}] = 1 }, { [2^53] = 1 },
  }
  for number, value in ipairs(odd) do
    pcall(core.json.encode, value)
    core.data("odd"):save({ _id = "o" .. number, value = value })
    job.save_info(value)
    core.log(value)
  end
  return job.OK, "held"
end

return job
