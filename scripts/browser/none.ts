/**
 * Stands in for the Node modules that @vscode/debugadapter imports (log files, a TCP server) and never reaches when the
 * session is driven inline, as VS Code for the Web does.
 */
export default {};
