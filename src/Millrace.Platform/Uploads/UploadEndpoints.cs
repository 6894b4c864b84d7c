using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Platform.Http;
using Millrace.Storage;

namespace Millrace.Platform.Uploads;

/// <summary>Routes under <c>/uploads</c>.</summary>
internal static class UploadEndpoints
{
    private const int BodyMax = 4 << 10;

    public static void MapUploads(this RouteGroupBuilder api) => api.MapPost("/uploads", OfferAsync).WithTags("Uploads").WithName("OfferUpload")
        .WithSummary("An address to which a client sends content that is too large for a request, such as the input of a run.")
        .Accepts<UploadContent>("application/json").Refuses(400, 409, 413, 415);

    private static async Task<Ok<Upload>> OfferAsync(HttpRequest request, ClientUploads uploads, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var shape = new BodyShape(await RequestBody.JsonAsync(request, BodyMax, cancel));
        var content = UploadRules.Read(shape);
        shape.ThrowIfWrong();
        return TypedResults.Ok(uploads.Offer(tenant, content));
    }
}
