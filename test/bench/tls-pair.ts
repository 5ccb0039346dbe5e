/** Keys and certificates for one mutual TLS 1.3 connection on the loopback, by the centre's own CA. */
import { createPublicKey } from "node:crypto";
import type { ConnectionOptions, TlsOptions } from "node:tls";
import { createCaCertificate, generateTlsKeyPem, openCa } from "../../centre/ca.ts";

export function makeTlsPair(): { server: TlsOptions; client: ConnectionOptions } {
  const caKey = generateTlsKeyPem();
  const ca = openCa(caKey, createCaCertificate("bench", caKey));
  const serverKey = generateTlsKeyPem();
  const clientKey = generateTlsKeyPem();
  return {
    server: {
      key: serverKey,
      cert: ca.issueServer(["127.0.0.1", "localhost"], createPublicKey(serverKey)),
      ca: ca.certificatePem,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.3",
    },
    client: {
      key: clientKey,
      cert: ca.issueHub("00".repeat(8), createPublicKey(clientKey)),
      ca: ca.certificatePem,
      minVersion: "TLSv1.3",
    },
  };
}
