import { openLedgerInThread } from "../../centre/ledger/open.ts";
import { startCentre } from "../../centre/main.ts";
import { defaultConfig } from "../../centre/config.ts";
import { hubRow, hashOf, record, HUB } from "./ledger-contract.ts";
import { createSigningKey, generatePrivateKeyPem } from "../../protocols/signature.ts";
import { existsSync, mkdirSync } from "node:fs";
const dir="/tmp/f/million"; 
if (!existsSync(dir)) { mkdirSync(dir); const l = openLedgerInThread({path: dir+"/ledger.sqlite"}); const k=createSigningKey(generatePrivateKeyPem());
 await l.addInvite(hashOf("i"),10); await l.enrol(hashOf("i"),0,hubRow(HUB,{publicKey:k.publicKey}));
 const t=performance.now(); const bytes=new Uint8Array(330);
 for (let s=1;s<=1_000_000;s+=5000) await l.append(Array.from({length:5000},(_,i)=>record(s+i,{bytes})));
 await l.saveIncidents(await l.lastIndex(), []); console.log("append/s", 1e6/(performance.now()-t)*1000|0); await l[Symbol.asyncDispose](); }
const t=performance.now(); const c=await startCentre({dir, config: defaultConfig(), ports:{mqtt:0,enrol:0}, web:false}); console.log("start ms", performance.now()-t|0, "since process", process.uptime()*1000|0, process.memoryUsage().rss/1e6|0, c.hubs()[0]);
await c.stop();
