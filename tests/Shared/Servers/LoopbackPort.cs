using System.Net;
using System.Net.Sockets;

namespace Millrace.Tests.Servers;

internal static class LoopbackPort
{
    /// <summary>A port that was free a moment ago, for programs that cannot choose one by themselves.</summary>
    public static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
