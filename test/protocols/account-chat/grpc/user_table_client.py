#!/usr/bin/env python3
"""A client of account-chat over gRPC, written from user-table.proto alone (python3-grpcio, protobuf-compiler-grpc).

    user_table_client.py GENERATED HOST:PORT [CA.pem]

GENERATED: the folder where protoc has put user_table_pb2.py and user_table_pb2_grpc.py. Prints what it got, a line each.
"""
import sys

sys.path.insert(0, sys.argv[1])
import grpc  # noqa: E402
import user_table_pb2 as pb  # noqa: E402
import user_table_pb2_grpc as pb_grpc  # noqa: E402


def channel():
    # Each a connection of its own, as old clients have it.
    options = [("grpc.use_local_subchannel_pool", 1)]
    if len(sys.argv) > 3:
        with open(sys.argv[3], "rb") as file:
            return grpc.secure_channel(sys.argv[2], grpc.ssl_channel_credentials(file.read()), options)
    return grpc.insecure_channel(sys.argv[2], options)


def told(what, call):
    try:
        print(f"{what}: {call().reply}", flush=True)
    except grpc.RpcError as error:
        print(f"{what}: {error.code().name}", flush=True)


def once(what, call):
    with channel() as own:
        told(what, lambda: call(pb_grpc.UserTableStub(own)))


# A channel for every call, and no token: all but sending.
once("register", lambda stub: stub.RegisterUser(pb.registerUser(username="ann", password="pw", reply=pb.requestReply(reply="x"))))
once("register", lambda stub: stub.RegisterUser(pb.registerUser(username="bob", password="pw")))
once("register", lambda stub: stub.RegisterUser(pb.registerUser(username="gone", password="pw")))
once("again", lambda stub: stub.RegisterUser(pb.registerUser(username="ann", password="pw")))
once("wrong", lambda stub: stub.LoginUser(pb.loginUser(username="ann", password="no")))
once("login", lambda stub: stub.LoginUser(pb.loginUser(username="ann", password="pw")))
once("dump", lambda stub: stub.DumpUsers(pb.dumpUsers()))
once("filter", lambda stub: stub.FilterUsers(pb.filterUsers(wildcard="?ob")))
once("delete", lambda stub: stub.DeleteUser(pb.deleteUser(username="gone", from_user="ann", password="no")))
once("delete", lambda stub: stub.DeleteUser(pb.deleteUser(username="gone", from_user="ann", password="pw")))
once("send", lambda stub: stub.MessageUser(pb.messageUser(username="bob", from_user="ann", m="hello")))

# One channel: logged in for as long as it lasts.
with channel() as ann_channel, channel() as bob_channel:
    ann, bob = pb_grpc.UserTableStub(ann_channel), pb_grpc.UserTableStub(bob_channel)
    told("ann", lambda: ann.LoginUser(pb.loginUser(username="ann", password="pw")))
    told("waits", lambda: ann.MessageUser(pb.messageUser(username="bob", from_user="bob", m="one")))
    told("bob", lambda: bob.LoginUser(pb.loginUser(username="bob", password="pw")))
    told("twice", lambda: bob.LoginUser(pb.loginUser(username="bob", password="pw")))
    stream = bob.SubscribeMessages(pb.requestReply(), timeout=20)
    first = next(stream)
    print(f"{first.from_user}: {first.m}", flush=True)
    told("goes", lambda: ann.MessageUser(pb.messageUser(username="bob", from_user="bob", m="two")))
    second = next(stream)
    print(f"{second.from_user}: {second.m}", flush=True)
    stream.cancel()
    _, call = ann.FilterUsers.with_call(pb.filterUsers(wildcard="*"), timeout=5)
    print(f"status: {call.code().name}", flush=True)

# By the token, over another channel.
with channel() as first:
    _, call = pb_grpc.UserTableStub(first).LoginUser.with_call(pb.loginUser(username="ann", password="pw"))
    token = [value for key, value in call.initial_metadata() if key == "account-token"]
once("carried", lambda stub: stub.MessageUser(pb.messageUser(username="bob", m="three"), metadata=[("account-token", token[0])]))
