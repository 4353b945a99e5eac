console.error("usage: tdxflow run|check|replay|decode|dap …");
process.exitCode = 2;
