-- class: lifecycle
-- tries: to break the compiler's message by the text around the error
-- holds: INVALID "unexpected symbol"

local job = core.job()
local text = "<\27[2J>" @ $ % ^ & `id`

return job
