-- class: boundary
-- tries: to find a text of JSON that the reader stumbles over
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local texts = {
    "1e999999", "-", "[1,]", '{"a":1,"a":2}', '"\\ud800"', '"\\u0000"', "\xef\xbb\xbf1", "NaN", "Infinity", "1 2",
    ("1"):rep(100000), "0x10", "[1e-999999]", '{"":{}}', '"' .. ("\\"):rep(999) .. '"', "true" .. ("\0"):rep(99),
  }
  for _, text in ipairs(texts) do
    local value, problem, code = core.json_safe.decode(text)
    if value == nil and problem and code ~= 830 then return job.OK, { text:sub(1, 20), problem } end
  end
  return job.OK, "held"
end

return job
