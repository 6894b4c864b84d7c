using System.Security.Authentication;
using Grpc.Core;
using Millrace.Connectors.Http;

namespace Millrace.Connectors.Grpc;

/// <summary>
/// A call that failed is a communication error with the HTTP status that stands for its code (google.rpc.Code); the title names the code. So a retry that
/// is written for http (429, 503) holds for grpc.
/// </summary>
internal static class GrpcFailure
{
    private const int DetailCharsMax = 2000;

    public static Refusal Of(RpcException failure, string what, Redaction redaction)
    {
        // The library calls it INTERNAL, as if the service had said so.
        for (var why = failure.Status.DebugException; why is not null; why = why.InnerException)
            if (why is AuthenticationException)
                return Refusal.Communication(503, "TLS failed", $"{what}: the secure connection could not be established; the host speaks no TLS there, or its certificate is not trusted.");
        var (status, name) = failure.StatusCode switch
        {
            StatusCode.Cancelled => (499, "CANCELLED"),
            StatusCode.InvalidArgument => (400, "INVALID_ARGUMENT"),
            StatusCode.DeadlineExceeded => (504, "DEADLINE_EXCEEDED"),
            StatusCode.NotFound => (404, "NOT_FOUND"),
            StatusCode.AlreadyExists => (409, "ALREADY_EXISTS"),
            StatusCode.PermissionDenied => (403, "PERMISSION_DENIED"),
            StatusCode.ResourceExhausted => (429, "RESOURCE_EXHAUSTED"),
            StatusCode.FailedPrecondition => (400, "FAILED_PRECONDITION"),
            StatusCode.Aborted => (409, "ABORTED"),
            StatusCode.OutOfRange => (400, "OUT_OF_RANGE"),
            StatusCode.Unimplemented => (501, "UNIMPLEMENTED"),
            StatusCode.Internal => (500, "INTERNAL"),
            StatusCode.Unavailable => (503, "UNAVAILABLE"),
            StatusCode.DataLoss => (500, "DATA_LOSS"),
            StatusCode.Unauthenticated => (401, "UNAUTHENTICATED"),
            _ => (500, "UNKNOWN"),
        };
        var said = redaction.Clean(failure.Status.Detail ?? "");
        if (said.Length > DetailCharsMax) said = $"{said[..DetailCharsMax]}…";
        return Refusal.Communication(status, name, $"{what} ended with {name}{(said.Length == 0 ? "." : $": {said}")}");
    }
}
