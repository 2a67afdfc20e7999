-- class: interpreter
-- tries: to call string.format with formats that no author would write
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local formats = {
    "%999d", "%99.99f", "%.99f", "%-+ #099.99g", "%", "%%%", "%y", "%10.123d", "%q", "%a", "%99s", "%.3q", "%c%c",
    "%i%", "%" .. ("0"):rep(1000) .. "d", "%ll", "%hd", "%*d", "%1$s", "%n", "%S", "%.-1f", "%5%",
  }
  for _, format in ipairs(formats) do
    for _, value in ipairs({ 1e308, -0.0, 1 / 0, 0 / 0, math.mininteger, "x\0y", {}, true }) do
      pcall(string.format, format, value, value)
      pcall(core.sf, format, value, value)
    end
  end
  return job.OK, "held"
end

return job
