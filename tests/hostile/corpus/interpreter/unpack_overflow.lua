-- class: interpreter
-- tries: to let the count of unpacked values run over
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local most, least = math.maxinteger, math.mininteger
  local ranges = { { 0, 2^31 - 1 }, { 1, 10^8 }, { least, most }, { most - 1, most }, { -2^31, 2^31 - 1 }, { most, least } }
  for _, range in ipairs(ranges) do
    pcall(table.unpack, {}, range[1] // 1, range[2] // 1)
    pcall(unpack, {}, range[1] // 1, range[2] // 1)
  end
  return job.OK, "held"
end

return job
