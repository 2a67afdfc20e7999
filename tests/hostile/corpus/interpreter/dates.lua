-- class: interpreter
-- tries: to call the functions of time with values that overflow
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, format in ipairs({ "%Ez", "%O", "%", "%Q", "*t%", ("%c"):rep(500), "!%E", "%5Y", "\0%Y" }) do
    for _, time in ipairs({ 0, -1, 2^31, 2^40, 2^55, math.maxinteger, math.mininteger }) do
      pcall(os.date, format, time // 1)
    end
  end
  for _, year in ipairs({ math.maxinteger, math.mininteger, 2^31, -1, 0, 1e300 }) do
    pcall(os.time, { year = year, month = year, day = year, hour = year, min = year, sec = year })
  end
  pcall(os.difftime, math.maxinteger, math.mininteger)
  return job.OK, "held"
end

return job
