-- A story of a debug session, told to Neovim's nvim-dap as its user does. Environment: STORY, FLOW, NODE, TDXFLOW, OUT.
local dap = require("dap")
local story = vim.fn.json_decode(table.concat(vim.fn.readfile(vim.env.STORY), "\n"))
local said = {}
local stopped = nil

local function finish()
  vim.fn.writefile(said, vim.env.OUT)
  vim.cmd("qa!")
end

local function until_true(what, condition)
  if not vim.wait(20000, condition, 5) then
    table.insert(said, "waited in vain for " .. what)
    finish()
  end
end

--- The body of the answer to a request.
local function ask(command, arguments)
  local answer = nil
  dap.session():request(command, arguments, function(err, body)
    answer = { err = err, body = body }
  end)
  until_true(command, function() return answer ~= nil end)
  if answer.err then table.insert(said, command .. ": " .. vim.inspect(answer.err)) end
  return answer.body or {}
end

local function frame()
  return ask("stackTrace", { threadId = 1 }).stackFrames[1]
end

--- Waits for the stop that a command leads to.
local function stop_after(command)
  stopped = nil
  command()
  until_true("a stop", function() return stopped ~= nil end)
  -- nvim-dap asks for threads and frames by itself before it takes the next command.
  until_true("its frame", function() return dap.session() and dap.session().stopped_thread_id ~= nil end)
  return stopped .. " " .. frame().line
end

local moves = {
  ["continue"] = dap.continue,
  ["step over"] = dap.step_over,
  ["step into"] = dap.step_into,
  ["step out"] = dap.step_out,
  ["step back"] = dap.step_back,
  ["reverse continue"] = dap.reverse_continue,
}

local actions = {
  ["line breakpoint"] = function(step)
    vim.fn.cursor(step.line, 1)
    dap.set_breakpoint(step.condition)
    -- It goes out with the next message of its own; an answer to a later request says that it has arrived.
    ask("threads", vim.empty_dict())
  end,
  ["function breakpoint"] = function(step)
    ask("setFunctionBreakpoints", { breakpoints = { { name = step.name } } })
  end,
  ["data breakpoint"] = function(step)
    local info = ask("dataBreakpointInfo", { name = step.address, asAddress = true, bytes = step.bytes })
    ask("setDataBreakpoints", { breakpoints = { { dataId = info.dataId, accessType = "write" } } })
  end,
  ["exception breakpoint"] = function(step)
    dap.set_exception_breakpoints({ step.filter })
    ask("threads", vim.empty_dict())
  end,
  ["variable"] = function(step)
    local scope = ask("scopes", { frameId = frame().id }).scopes[1]
    for _, variable in ipairs(ask("variables", { variablesReference = scope.variablesReference }).variables) do
      if variable.name == step.name then return variable.value end
    end
  end,
}

dap.adapters.tdxflow = { type = "executable", command = vim.env.NODE, args = { vim.env.TDXFLOW, "dap" } }
dap.listeners.after.event_stopped.story = function(_, body) stopped = body.reason end

local ok, problem = pcall(function()
  vim.cmd("edit " .. vim.env.FLOW)
  local first = stop_after(function()
    dap.run({ type = "tdxflow", request = "launch", name = "story", program = vim.env.FLOW, stopOnEntry = true })
  end)
  table.insert(said, "launch: " .. first)
  for _, step in ipairs(story.steps) do
    local move = moves[step["do"]]
    local result = move and stop_after(move) or not move and actions[step["do"]](step) or nil
    if step.stops or step.is then table.insert(said, step["do"] .. ": " .. tostring(result)) end
  end
  ask("disconnect", { terminateDebuggee = true })
end)
if not ok then table.insert(said, tostring(problem)) end
finish()
