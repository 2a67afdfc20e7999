-- core.slack(text) posts at once; core.slack.post is the same with its full name.
local native = ...

---@class core.slack
---@overload fun(text: string): boolean?, string?, integer?
local slack = {}

--- Posts a message; true, or nil with the problem and its code.
---@param text string
---@return boolean? posted
---@return string? problem
---@return integer? code
function slack.post(text) return native.post(text) end

return setmetatable(slack, {
  __call = function(_, text) return native.post(text) end,
  __metatable = false,
})
