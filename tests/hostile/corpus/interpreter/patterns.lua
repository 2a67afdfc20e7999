-- class: interpreter
-- tries: to give the matcher patterns that are broken in every way
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local patterns = {
    "[", "[^", "[]", "[%", "%", "(", ")", "(()", "%1", "%9", "(%1)", "%b", "%bx", "%f", "%f[", "[a-", "[z-a]", "[%z-%w]",
    ("("):rep(33), ("(a)"):rep(33), ("%f[a]"):rep(1000), ("[a]*"):rep(200), "\0", "[\0-\255]", ".-%b()%1?", "^^^$$$",
  }
  for _, pattern in ipairs(patterns) do
    pcall(string.find, "aaa(b)\0", pattern)
    pcall(string.gsub, "aaa(b)\0", pattern, "%0%1%9")
    pcall(string.gsub, "aaa", pattern, { aaa = {} })
    local ok, iterator = pcall(string.gmatch, "aaa", pattern)
    if ok then pcall(iterator) pcall(iterator) end
  end
  return job.OK, "held"
end

return job
