using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Millrace.Jq;
using Millrace.Testing.Scenarios;

namespace Millrace.Testing.Outside;

/// <summary>Answers the HTTP client's requests from mocks, so that all that the client does with an answer is the real thing.</summary>
internal sealed class MockTransport(OutsideWorld outside, TimeProvider time) : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var of = MockedFunction.Current.Value ?? throw new InvalidOperationException("A request belongs to no call.");
        var asked = await DescribeAsync(request, cancellationToken);
        var known = outside.Request(of.Effect, of.Next(), asked, time.GetUtcNow());
        var mock = known.Mock ?? throw new HttpRequestException(HttpRequestError.ConnectionError, "No mock of the scenario answers this request.");
        await OutsideWorld.AnswerAsync(mock, known.Began, time, cancellationToken);
        return mock.Answer is MockAnswer.Responds responds
            ? Respond(request, asked, responds)
            : throw new HttpRequestException(HttpRequestError.ConnectionError, "The connection was refused.");
    }

    private static async Task<Json> DescribeAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        var headers = new JsonObject.Builder();
        foreach (var (name, values) in request.Headers.Concat(request.Content?.Headers.AsEnumerable() ?? [])) headers.Set(name.ToLowerInvariant(), string.Join(", ", values));
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancel);
        return new JsonObject.Builder().Set("method", request.Method.Method).Set("uri", request.RequestUri!.AbsoluteUri).Set("headers", headers.Build()).Set("body", Parsed(body)).Build();
    }

    private static Json Parsed(string body)
    {
        try
        {
            return body.Length == 0 ? Json.Null : JsonText.Parse(body);
        }
        catch (JsonTextException)
        {
            return body;
        }
    }

    private static HttpResponseMessage Respond(HttpRequestMessage request, Json asked, MockAnswer.Responds answer)
    {
        var body = OutsideWorld.Filled(answer.Body, asked);
        var content = new ByteArrayContent(body.IsNull ? [] : Encoding.UTF8.GetBytes(body.StringOrNull ?? body.ToString()));
        if (!body.IsNull) content.Headers.ContentType = new MediaTypeHeaderValue(body.IsString ? "text/plain" : "application/json");
        var response = new HttpResponseMessage((HttpStatusCode)answer.Status) { RequestMessage = request, Content = content };
        foreach (var (name, value) in answer.Headers.ObjectOrNull ?? JsonObject.Empty)
        {
            var text = value.StringOrNull ?? value.ToString();
            if (response.Headers.TryAddWithoutValidation(name, text)) continue;
            content.Headers.Remove(name);
            content.Headers.TryAddWithoutValidation(name, text);
        }
        return response;
    }
}
