"""pymodbus' client reads and writes everything that there is: python3 pymodbus_client.py PORT"""
import sys

from pymodbus.client import ModbusTcpClient
from pymodbus.pdu import ModbusRequest

client = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]))
assert client.connect()
print(client.write_registers(20, [1, 2, 65535]).isError(), client.read_holding_registers(20, 3).registers)
print(client.write_register(22, 7).isError(), client.read_holding_registers(22, 1).registers)
print(client.write_coils(30, [True, False, True]).isError(), client.read_coils(30, 3).bits[:3])
print(client.write_coil(31, True).isError(), client.read_coils(31, 1).bits[:1])
print(client.read_discrete_inputs(0, 9).bits[:9], client.read_input_registers(0, 2).registers)
print(client.read_holding_registers(999, 2).exception_code, client.read_coils(0, 2001).exception_code)


class Unknown(ModbusRequest):
    function_code = 99

    def encode(self):
        return b"\0\0"


print(client.execute(Unknown()).exception_code)
client.close()
