/** The far end of the floor's TLS connection: gives back what it gets. Started by floor.ts. */
import tls from "node:tls";

process.once("message", (options: tls.TlsOptions) => {
  const server = tls.createServer({ ...options, noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1", () => process.send?.(server.address()));
});
process.once("disconnect", () => process.exit());
