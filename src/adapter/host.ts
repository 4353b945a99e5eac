/** What an adapter needs of the program that it lives in: the command line, or VS Code's extension host. */
export interface AdapterHost {
  /**
   * Text of a source.
   *
   * @param path as the client names files: a plain path, or a URI (`vscode-vfs://…`) where there are no paths
   * @throws Error that names the path, if it cannot be read
   */
  readFile(path: string): Promise<string>;
  /**
   * Where the project's own files lie: `flows/` for imports, `src/module/` for the sources of the leaves. A path or a URI
   * without a slash at its end; absent where the sources did not come along, and clients then ask for their text.
   */
  readonly shippedRoot?: string;
}
