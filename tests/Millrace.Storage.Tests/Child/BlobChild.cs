using System.Globalization;
using Millrace.Storage.Blobs;

namespace Millrace.Storage.Tests.Child;

/// <summary>Puts numbered blobs one after the other and says <c>ack N</c> for each, or <c>fault CODE</c> where it is refused; then ends.</summary>
internal static class BlobChild
{
    public const int Puts = 20;

    public static byte[] Content(int number) => [.. BitConverter.GetBytes(number), .. new byte[1_000]];

    public static async Task<int> RunAsync(string folder)
    {
        var store = new FileBlobStore(folder);
        for (var i = 0; i < Puts; i++)
        {
            try
            {
                await store.PutAsync(Content(i));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ack {i}"));
            }
            catch (StorageUnavailableException e)
            {
                Console.WriteLine($"fault {e.Fault.Code}");
            }
        }

        return 0;
    }
}
