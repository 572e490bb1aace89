"""pymodbus' server, a thousand of each kind: python3 pymodbus_server.py PORT"""
import asyncio, logging, sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer

logging.disable(logging.CRITICAL)
block = lambda: ModbusSequentialDataBlock(0, [0] * 1001)
device = ModbusSlaveContext(di=block(), co=block(), hr=block(), ir=block())
context = ModbusServerContext(slaves=device, single=True)
asyncio.run(StartAsyncTcpServer(context=context, address=("127.0.0.1", int(sys.argv[1]))))
