-- class: boundary
-- tries: to raise an exception inside the bridge by bytes that are no UTF-8
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local bad = { "\xff\xfe", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "a\0b", "\xe2\x82" }
  for _, text in ipairs(bad) do
    core.log(text)
    pcall(core.json.encode, { [text] = text })
    pcall(core.json.decode, '"' .. text .. '"')
    for _, name in ipairs({ "data", "secret", "template" }) do
      local _, problem = pcall(core[name], text)
      if type(problem) == "userdata" then return job.OK, name end
    end
    pcall(core.network.get, "http://" .. text)
    pcall(core.files.read, text)
    pcall(core.jobs.now, text)
  end
  return job.OK, "held"
end

return job
