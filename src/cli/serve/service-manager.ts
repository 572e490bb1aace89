import { spawn } from 'node:child_process';

/**
 * The service manager that started this process and wants to hear how it is (`Type=notify`, `WatchdogSec=`; see
 * sd_notify(3)). Its socket is a Unix datagram socket, which Node does not have: `systemd-notify` speaks for us, so the
 * unit needs `NotifyAccess=all`.
 */
export class ServiceManager {
  readonly #alarm: (text: string) => void;
  #isDeaf = false;

  private constructor(alarm: (text: string) => void) {
    this.#alarm = alarm;
  }

  /** The one that the environment names. @param alarm hears, once, why it cannot be told anything. */
  static of(env: NodeJS.ProcessEnv, alarm: (text: string) => void): ServiceManager | undefined {
    return env['NOTIFY_SOCKET'] === undefined ? undefined : new ServiceManager(alarm);
  }

  /** Clients can come. From now on it hears, as often as it asks for, that we live. */
  ready({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv = process.env): void {
    this.#tell('READY=1');
    const patience = Number(WATCHDOG_USEC) / 1_000;
    if (!(patience > 0) || (WATCHDOG_PID ?? String(process.pid)) !== String(process.pid)) return;
    setInterval(() => this.#tell('WATCHDOG=1'), patience / 2).unref();
  }

  /** No clients come any more, and those there are finish. */
  stopping(): void {
    this.#tell('STOPPING=1');
  }

  #tell(state: string): void {
    if (this.#isDeaf) return;
    const failed = (reason: string): void => {
      if (this.#isDeaf) return;
      this.#isDeaf = true;
      this.#alarm(`the service manager cannot be told ${state}: systemd-notify ${reason}`);
    };
    const child = spawn('systemd-notify', [state], { stdio: 'ignore' });
    child.on('error', ({ message }) => failed(`cannot be run: ${message}`));
    child.on('exit', (code) => {
      if (code !== 0) failed(`ended with ${code}`);
    });
  }
}
