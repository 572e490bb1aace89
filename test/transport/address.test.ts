import { expect, test } from 'vitest';
import {
  AddressError,
  formatAddress,
  parseAddress,
  parseListenAddress,
  sourceOf,
} from '../../src/transport/address.ts';

test('where to listen: a port, a host with a port, a unix socket', () => {
  expect(parseListenAddress('5555')).toEqual({ host: undefined, port: 5555 });
  expect(parseListenAddress('localhost:0')).toEqual({ host: 'localhost', port: 0 });
  expect(parseListenAddress('[::1]:65535')).toEqual({ host: '::1', port: 65_535 });
  expect(parseListenAddress('unix:/run/wirechart/log.sock')).toEqual({ path: '/run/wirechart/log.sock' });
  expect(parseListenAddress(`unix:${'x'.repeat(107)}`)).toEqual({ path: 'x'.repeat(107) });
});

test('where to reach: also a WebSocket, and a program', () => {
  expect(parseAddress('ws://localhost:80/x')).toEqual({ url: 'ws://localhost:80/x' });
  expect(parseAddress('WSS://example')).toEqual({ url: 'WSS://example' });
  expect(parseAddress('stdio:clangd --log=error')).toEqual({ command: 'clangd --log=error' });
  expect(parseAddress('unix:a:b')).toEqual({ path: 'a:b' });
  expect(parseAddress('logs.example:5555')).toEqual({ host: 'logs.example', port: 5555 });
});

test('what is no address is refused, and says what was expected', () => {
  for (const text of [
    '',
    'x',
    'mesage-log',
    '65536',
    '::1:80',
    'host:',
    ':80',
    '[::1]',
    'a:1e3',
    '-1',
    '1.5',
    'unix:',
  ]) {
    expect(() => parseListenAddress(text), text).toThrow(AddressError);
  }
  expect(() => parseListenAddress('ws://x')).toThrow(/expected \[HOST:\]PORT/);
  expect(() => parseListenAddress(`unix:${'ü'.repeat(54)}`)).toThrow(/at most 107 bytes/);
  expect(() => parseAddress('ws://')).toThrow(/expected ws:/);
  expect(() => parseAddress('stdio: ')).toThrow(/names no program/);
});

test('a source is an IPv4 address, or the /64 of an IPv6 one', () => {
  expect(sourceOf('192.0.2.7')).toBe('192.0.2.7');
  expect(sourceOf('::ffff:192.0.2.7')).toBe('192.0.2.7');
  expect(sourceOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
  expect(sourceOf('2001:db8:1:2::1')).toBe('2001:db8:1:2::/64');
  expect(sourceOf('2001:db8::1')).toBe('2001:db8:0:0::/64');
  expect(sourceOf('2001:db8::3:4:5:6')).toBe('2001:db8:0:0::/64');
  expect(sourceOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  expect(sourceOf('::1')).toBe('0:0:0:0::/64');
  expect(sourceOf('64:ff9b::192.0.2.7')).toBe('64:ff9b:0:0::/64');
});

test('an address is written with brackets where it must be', () => {
  expect(formatAddress('::1', 5)).toBe('[::1]:5');
  expect(formatAddress('::ffff:127.0.0.1', 5)).toBe('127.0.0.1:5');
});
