using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Millrace.Connectors.Http;

/// <summary>
/// Names of what goes wrong between two machines. All are communication errors (dsl.md, Interoperability): 503 when nothing could be reached,
/// 504 when no answer came in time, 502 when the answer cannot be used.
/// </summary>
internal static class HttpFailure
{
    public static Refusal TimedOut(HttpCall call, Redaction redaction, Deadline hop, Deadline whole)
    {
        var what = $"{call.Method} {redaction.Clean(call.Uri)}";
        if (whole.Expired) return Refusal.Communication(504, "Request timed out", $"{what} was not finished within {Seconds(whole.Limit)}.");
        return hop.Expired
            ? Refusal.Communication(504, "Request timed out", $"{what} got no answer within {Seconds(hop.Limit)}.")
            : Refusal.Communication(504, "Connection timed out", $"{what}: no connection could be opened in time.");
    }

    public static Refusal Of(Exception failure, HttpCall call, Redaction redaction)
    {
        var (status, title, why) = Describe(failure, call.Uri);
        return Refusal.Communication(status, title, $"{call.Method} {redaction.Clean(call.Uri)}: {redaction.Clean(why)}");
    }

    private static (int Status, string Title, string Why) Describe(Exception failure, Uri uri)
    {
        if (Cause<AuthenticationException>(failure) is not null || failure is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError })
            return (503, "TLS failed", "the secure connection could not be established; the host speaks no TLS there, or its certificate is not trusted.");
        if (failure is HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError })
            return (503, "Host not found", $"the name {uri.Host} cannot be resolved.");
        if (Cause<SocketException>(failure) is { } socket)
            return socket.SocketErrorCode switch
            {
                SocketError.ConnectionRefused => (503, "Connection refused", $"nothing listens at {uri.Host}:{uri.Port}."),
                SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => (503, "Host not found", $"the name {uri.Host} cannot be resolved."),
                SocketError.ConnectionReset => (502, "Connection reset", "the connection was reset before the answer was complete."),
                _ => (503, "Connection failed", $"{socket.Message}."),
            };
        return failure switch
        {
            HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => (502, "Response too large", "the response's headers exceed the limit."),
            InvalidDataException => (502, "Response invalid", "the content is not compressed as its Content-Encoding says."),
            HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } or HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }
                => (502, "Response incomplete", "the connection was closed before the answer was complete."),
            HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => (503, "Connection failed", failure.Message),
            _ => (502, "Response invalid", failure.Message),
        };
    }

    private static T? Cause<T>(Exception? failure) where T : Exception
    {
        for (; failure is not null; failure = failure.InnerException)
            if (failure is T found) return found;
        return null;
    }

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###} s");
}
