/** Who this centre is: its CA, its server's certificate and the key that signs its receipts, all in <dir>/keys. */
import { createPublicKey, X509Certificate } from "node:crypto";
import { rmSync } from "node:fs";
import { isIP } from "node:net";
import path from "node:path";
import { createSigningKey, generatePrivateKeyPem, type SigningKey } from "../protocols/signature.ts";
import { type CertificateAuthority, createCaCertificate, generateTlsKeyPem, openCa } from "./ca.ts";
import type { CentreConfig } from "./config.ts";
import { publicFile, secretFile } from "./keys.ts";

export interface Identity {
  readonly ca: CertificateAuthority;
  readonly receiptKey: SigningKey;
  /** PEM; `cert` has the CA's certificate behind it. */
  readonly tls: { readonly key: string; readonly cert: string; readonly ca: string };
}

/** Opens the keys, and makes those that are not there. Throws a KeyFileError when a private one can be read by others. */
export function openIdentity(dir: string, { name, hosts }: Pick<CentreConfig, "name" | "hosts">): Identity {
  const file = (base: string) => path.join(dir, "keys", base);
  const caKey = secretFile(file("ca.pem"), generateTlsKeyPem);
  const caCertificate = publicFile(file("ca-cert.pem"), () => createCaCertificate(name, caKey));
  const ca = openCa(caKey, caCertificate);
  const receiptKey = createSigningKey(secretFile(file("receipt.pem"), () => generatePrivateKeyPem()));
  const key = secretFile(file("server.pem"), generateTlsKeyPem);
  const issue = () => ca.issueServer(hosts, createPublicKey(key));
  let certificate = publicFile(file("server-cert.pem"), issue);
  if (!coversHosts(certificate, hosts)) {
    rmSync(file("server-cert.pem"));
    certificate = publicFile(file("server-cert.pem"), issue);
  }
  return { ca, receiptKey, tls: { key, cert: certificate + caCertificate, ca: caCertificate } };
}

function coversHosts(certificatePem: string, hosts: readonly string[]): boolean {
  const certificate = new X509Certificate(certificatePem);
  const covers = (host: string) =>
    (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined;
  return hosts.every(covers);
}
