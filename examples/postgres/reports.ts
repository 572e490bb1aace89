const code = (letter: string) => letter.charCodeAt(0);

/** An error in words, and as a code for programs. After a FATAL one the server ends the connection. */
export function error(sqlState: string, text: string, severity: 'ERROR' | 'FATAL' = 'ERROR') {
  const report = [
    { field: code('S'), value: severity },
    { field: code('V'), value: severity },
    { field: code('C'), value: sqlState },
    { field: code('M'), value: text },
  ];
  return { type: 'server.ERROR', report } as const;
}
