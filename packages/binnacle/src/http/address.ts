/** Who is calling: the peer's address, or the forwarded one where a proxy is trusted. */
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { TrustProxy } from '../settings.ts';

/** Finds the caller's address from the peer's and the `X-Forwarded-For` header. */
export type AddressOf = (peer: string | undefined, forwardedFor: string | string[] | undefined) => string | undefined;

/** Peers whose address is remembered. */
const PEERS = 1000;
const MAX_HOPS = 32;
const MAX_HEADER = 2048;

/**
 * Builds the look-up for a `TRUST_PROXY` setting: `false` believes nobody, `true` believes the whole chain (its first
 * address), a number believes that many hops, networks are believed until an address lies outside of them. What is
 * not an address ends the chain.
 */
export function createAddressOf(trust: TrustProxy): AddressOf {
  if (trust === false) return createPeerOf();
  const trusted = toTrusted(trust);
  return (peer, header) => {
    let address = plain(peer);
    if (address === undefined) return undefined;
    for (const [hop, next] of forwarded(header).entries()) {
      if (!trusted(address, hop) || next === undefined) break;
      address = next;
    }
    return address;
  };
}

/** Connections ask again with each request, and load balancers are few. */
function createPeerOf(): AddressOf {
  const known = new Map<string, string | undefined>();
  return (peer) => {
    if (peer === undefined) return undefined;
    const found = known.get(peer);
    if (found !== undefined || known.has(peer)) return found;
    const address = plain(peer);
    if (known.size >= PEERS) known.clear();
    known.set(peer, address);
    return address;
  };
}

function toTrusted(trust: Exclude<TrustProxy, false>): (address: string, hop: number) => boolean {
  if (trust === true) return () => true;
  if (typeof trust === 'number') return (_, hop) => hop < trust;
  const networks = new BlockList();
  for (const network of trust) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) networks.addAddress(address, family);
    else networks.addSubnet(address, Number(bits), family);
  }
  return (address) => networks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** The chain from the nearest proxy outwards. */
function forwarded(header: string | string[] | undefined): (string | undefined)[] {
  const text = Array.isArray(header) ? header.join(',') : header;
  if (text === undefined || text === '') return [];
  return text
    .slice(-MAX_HEADER)
    .split(',')
    .slice(-MAX_HOPS)
    .reverse()
    .map((part) => plain(part.trim()));
}

/** An address without port, brackets or the IPv4-in-IPv6 prefix; undefined for anything else. */
function plain(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const bare =
    /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? (/^[\d.]+:\d+$/.test(text) ? text.slice(0, text.indexOf(':')) : text);
  const address = bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice(7) : bare;
  return isIP(address) === 0 ? undefined : address;
}
